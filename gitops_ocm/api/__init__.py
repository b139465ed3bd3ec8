"""The words on the wire: pydantic models of every kind, and the CRDs generated from them."""
