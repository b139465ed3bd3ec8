"""Git → hub (`pull`) and hub → Git (`push`), and the loops that keep both going."""
