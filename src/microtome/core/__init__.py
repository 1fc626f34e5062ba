"""The nouns, steps, parameters, events and errors that every floor above speaks."""
