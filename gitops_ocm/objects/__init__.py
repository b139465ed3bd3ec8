"""Verbs on any one Kubernetes object. Pure: values in, values out.

An object travels as the mapping an API server sends: camelCase keys; `str`, `int`, `float`,
`bool`, `None`, `list` and `dict` values. It becomes a model of `api` where it is judged.
"""
