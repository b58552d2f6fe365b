"""The place of accounts: signing in, access and refresh tokens, and the roles reader and admin."""
