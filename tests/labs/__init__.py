"""What tests of the use cases stand on: worlds, labs, a fleet in this process, and the steps that tests are made of."""
