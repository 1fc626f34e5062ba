"""What training lowers: losses in torch, one a file (see `catalogue`), weighted sums of them, and class weights."""
