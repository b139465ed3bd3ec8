"""What a kube-apiserver refuses of the built-in kinds: field paths, reasons, words and their order.

`table.RULES` is the front door. What every object has (its metadata) is judged by `names`; whether a body
decodes by `decoding`. Each module has the rules of what its name says, in the order in which a server looks
at the fields, for it tells faults in that order. `faults` makes causes, `formats` judges names and numbers.
"""
