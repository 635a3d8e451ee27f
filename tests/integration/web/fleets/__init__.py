"""What the API says of fleets that answer badly, or not at all."""
