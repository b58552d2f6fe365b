"""The whole agreement between the gateway and the model servers: paths, request and response types."""
