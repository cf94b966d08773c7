"""The NBD protocol: wire numbers, negotiation, transmission, and the server that carries them over sockets."""
