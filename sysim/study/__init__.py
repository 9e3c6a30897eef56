"""Many runs that answer one question: replications, variants side by side, sequential sampling."""
