"""The steps of lowering, one file a concern: each turns a part of the model into rows, `lower` joins them."""
