"""A preview as text, JSON, Markdown, HTML, JUnit or SARIF. Pure: values in, text out."""
