"""What a repository's policy says of a change: a `Preview` in, the same with its rulings out. Pure.

`judge.judged` is the front door. `case` is what rules are asked about; `budgets`, `protections`, `rollouts`,
`freezes` and `expressions` ask them; `loosening` says what a change of the policy itself comes to,
`overrides` what commits' trailers let through. What a policy may say is `desired.policy`.
"""
