"""Training a network: the loop is a generator of events, and everything else reads them."""
