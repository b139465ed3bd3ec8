"""The Common Expression Language as Kubernetes has it: parsed, type-checked, priced and evaluated.

`environment.Environment` is the front door: variables with their types, then `compile`. In order: `lexer` and
`parser` (with `macros`) make a tree (`tree`), `checker` types it against `declarations`, `literals` looks at
its constants, `pricing` says what it may cost at most, `program` turns it into closures that evaluate it and
count what it does cost. Types are `types`, values that JSON has not `values`, functions in `functions`.

It is not bound to CustomResourceDefinitions: which part of a schema is seen how is `declared`, rules of
schemas are `objects.schema_rules` and `objects.crd_cel`.
"""
