"""What a model file says and may hold: the contract, the graph reader, the gate."""
