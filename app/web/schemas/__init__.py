"""The shapes of requests and answers. Shape and type stand here, meaning in the domain."""
