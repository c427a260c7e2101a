"""The swarm node's shells: identities, Git repositories, quarantine, and what is kept beside the repositories."""
