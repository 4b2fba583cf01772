"""torch.fx tracing with an example alongside, and the rules' view of a call."""
