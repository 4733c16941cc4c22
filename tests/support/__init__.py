"""What tests and bench share: sites, browsers, engines, and whoever plays on them."""
