"""The street's pages for its office: HTML over the services, for an ordinary browser, without scripts. One file per noun."""
