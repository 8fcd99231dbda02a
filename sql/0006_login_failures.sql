-- What stands against guessing passwords: failed sign-ins, counted, and the networks from which an account
-- has signed in, so that its owner is let in while strangers wait.
--
-- A counter is of a kind: failures of a username from a network (pair), of a username from
-- anywhere (account), from a network with any username (network). subject is a digest of what it counts, since
-- what is typed as a username may well be a password.

CREATE TABLE login_failures (
	id BIGINT NOT NULL AUTO_INCREMENT,
	kind ENUM('pair', 'account', 'network') NOT NULL,
	subject BINARY(16) NOT NULL,
	failures INT NOT NULL,
	last DATETIME(6) NOT NULL,

	PRIMARY KEY (id),
	UNIQUE KEY subject (subject, kind),
	KEY last (last)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_uca1400_as_ci;

CREATE TABLE login_networks (
	id BIGINT NOT NULL AUTO_INCREMENT,
	user_id BIGINT NOT NULL,
	network VARCHAR(45) COLLATE utf8mb4_nopad_bin NOT NULL,
	last DATETIME(6) NOT NULL,

	PRIMARY KEY (id),
	UNIQUE KEY user_network (user_id, network),
	KEY last (last),
	CONSTRAINT login_networks_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_uca1400_as_ci;
