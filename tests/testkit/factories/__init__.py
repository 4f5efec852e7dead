"""Objects by situation, made by the use cases themselves."""
