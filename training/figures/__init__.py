"""One module a kind of evidence: what is measured of a model, and how its card tells it.

Each has `measure(model, smoke)`, which runs the model as its users do, through stemzoo, on
specimens and seeds that training never sees; and `report(metrics)`, the Markdown of what it found.
A recipe names its module.
"""
