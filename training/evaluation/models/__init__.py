"""One module a kind of evidence: what is measured of a model, and how its card tells it.

Each has `measure(model, smoke)`, which runs the model as its users do, through stemzoo, on
specimens and seeds that training never sees, and whose `headline` goes into the table of models;
and `report(metrics)`, the Markdown of what it found. A recipe names its module.

Of a published system, `published(metrics)` and `panels(model)` fill its section of docs/papers.md.

Those that begin with drift_ are of one model, drift-lattice; docs/drift.md is made of them.
"""
