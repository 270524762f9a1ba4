"""The commands."""
print("cli placeholder")
