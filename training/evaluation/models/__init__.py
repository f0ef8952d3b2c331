"""How each kind of model is measured, and the tables of its card. A recipe names its module.

Each module has `measure(model, smoke)`, which runs the model as its users do, through stemzoo, on
specimens and seeds that training never sees, and whose `headline` goes into the README's table of
models; and `report(metrics)`, the Markdown for the card. A module of a published system also has
`published(metrics)` and `panels(model)`, for its section of docs/papers.md; one with development
targets has `below_target(metrics)`, for `python -m training.evaluate`.
"""
