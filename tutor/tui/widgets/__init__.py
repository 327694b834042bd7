"""Parts of a screen: each draws what it is handed and asks nothing of the system."""
