-- The tokens that requests carry: one a user. The token itself is not here: lookup is its keyed
-- hash, sealed is a copy that only the key file opens, for the one call that shows it again.
--
-- created is the last use, by which the token expires (the API calls it so); made is when the key
-- was made.

CREATE TABLE tokens (
	id BIGINT NOT NULL AUTO_INCREMENT,
	user_id BIGINT NOT NULL,
	lookup BINARY(32) NOT NULL,
	sealed VARBINARY(255) NOT NULL,
	created DATETIME(6) NOT NULL,
	made DATETIME(6) NOT NULL,

	PRIMARY KEY (id),
	UNIQUE KEY user_id (user_id),
	UNIQUE KEY lookup (lookup),
	CONSTRAINT tokens_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_uca1400_as_ci;
