-- Addresses that wait for their confirmation: one a user, the newest. The code that was sent there is not
-- here; lookup is its keyed hash.

CREATE TABLE email_changes (
	id BIGINT NOT NULL AUTO_INCREMENT,
	user_id BIGINT NOT NULL,
	email VARCHAR(320) NOT NULL,
	lookup BINARY(32) NOT NULL,
	created DATETIME(6) NOT NULL,

	PRIMARY KEY (id),
	UNIQUE KEY user_id (user_id),
	UNIQUE KEY lookup (lookup),
	KEY email (email),
	CONSTRAINT email_changes_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_uca1400_as_ci;
