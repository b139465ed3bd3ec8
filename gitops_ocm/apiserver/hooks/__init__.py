"""Admission that is registered in the server: webhooks and policies, as kube-apiserver has them.

`admission` is the front door: `Hooks.mutated` and `Hooks.judge` are stages of every write of `verbs.Api`.
`matching` says whom a write concerns, `reviews` is the AdmissionReview, `policies` are those in CEL.
The verbs are synchronous and asking a webhook is not: `consultation` bridges that, `calls` does the asking.
"""
