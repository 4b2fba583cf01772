"""The hand-over folder: all that has to be loaded onto cores, and what has to come out, for those who do it by hand."""
