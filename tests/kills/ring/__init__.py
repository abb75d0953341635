"""What the kills ring stands on: a broker that dies at any moment, writers in processes of their own, and readers that
compare what was promised with what is there."""
