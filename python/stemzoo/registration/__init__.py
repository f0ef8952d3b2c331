"""The drift between two frames, and of a live sequence: NCC, candidates, refinement, tracker."""
