"""Steps that change values and leave every pixel where it is."""
