"""How many conversations a whole server holds on one core, beside google-adk's and bare relays."""
