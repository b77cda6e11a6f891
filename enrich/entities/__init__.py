"""Who and where: recogniser protocol, backends, and mention to entity."""
