-- What was done, by whom, to what: written in the transaction that does it. Events outlive the
-- accounts that they tell of, so they refer to nothing and carry uuid and username themselves.
--
-- request_id answers whether a request has committed when the connection was lost in its COMMIT.

CREATE TABLE audit_events (
	id BIGINT NOT NULL AUTO_INCREMENT,
	uuid BINARY(16) NOT NULL,
	created DATETIME(6) NOT NULL,
	request_id VARCHAR(32) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '',
	event VARCHAR(64) COLLATE utf8mb4_nopad_bin NOT NULL,
	actor_id BIGINT NULL,
	actor_uuid BINARY(16) NULL,
	actor_username VARCHAR(128) COLLATE utf8mb4_nopad_bin NULL,
	impersonator_uuid BINARY(16) NULL,
	subject_type VARCHAR(32) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '',
	subject_uuid BINARY(16) NULL,
	address VARCHAR(45) COLLATE utf8mb4_nopad_bin NULL,
	changes JSON NULL,

	PRIMARY KEY (id),
	UNIQUE KEY uuid (uuid),
	KEY created (created),
	KEY request_id (request_id),
	KEY subject (subject_uuid, created),
	KEY actor (actor_uuid, created)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_uca1400_as_ci;
