"""What is remembered: tables, transactions, migrations."""
