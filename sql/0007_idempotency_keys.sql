-- Answers to POSTs that carried an Idempotency-Key, for a day: the same request gets the same answer and is done
-- once. Whose request, its path and its key are in lookup; what it asked for is in request.
-- The answer may hold a token, so it is sealed with the key file.

CREATE TABLE idempotency_keys (
	id BIGINT NOT NULL AUTO_INCREMENT,
	lookup BINARY(16) NOT NULL,
	request BINARY(16) NOT NULL,
	created DATETIME(6) NOT NULL,
	status INT NOT NULL DEFAULT 0,
	answer MEDIUMBLOB NULL,

	PRIMARY KEY (id),
	UNIQUE KEY lookup (lookup),
	KEY created (created)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_uca1400_as_ci;
