"""The measurements, in packages by what they measure; here what several of them use."""
