"""The smallest programs of the toolkits that the faces are compared with. They import nothing of the project."""
