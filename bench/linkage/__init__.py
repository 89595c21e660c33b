"""The linker beside Splink 5 and others: data, both programs in processes of their own, one table. See README.md here."""
