"""The local stack behind `make up`, in packages by what they run; here what all of them use."""
