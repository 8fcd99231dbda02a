-- SSH public keys of users. They go with their owner's account. Fingerprints are kept as they are printed.
--
-- Names are sorted without case, but two that differ in it are two: name_exact is what the unique key compares.

CREATE TABLE ssh_keys (
	id BIGINT NOT NULL AUTO_INCREMENT,
	uuid BINARY(16) NOT NULL,
	user_id BIGINT NOT NULL,
	name VARCHAR(150) NOT NULL,
	name_exact VARCHAR(150) COLLATE utf8mb4_nopad_bin AS (name),
	public_key VARCHAR(2000) COLLATE utf8mb4_nopad_bin NOT NULL,
	type VARCHAR(64) COLLATE utf8mb4_nopad_bin NOT NULL,
	fingerprint_md5 VARCHAR(47) COLLATE utf8mb4_nopad_bin NOT NULL,
	fingerprint_sha256 VARCHAR(64) COLLATE utf8mb4_nopad_bin NOT NULL,
	fingerprint_sha512 VARCHAR(128) COLLATE utf8mb4_nopad_bin NOT NULL,
	is_shared BOOLEAN NOT NULL DEFAULT FALSE,
	created DATETIME(6) NOT NULL,
	modified DATETIME(6) NOT NULL,
	version BIGINT NOT NULL DEFAULT 1,

	PRIMARY KEY (id),
	UNIQUE KEY uuid (uuid),
	UNIQUE KEY name (user_id, name_exact),
	KEY sorted (name),
	KEY is_shared (is_shared),
	KEY fingerprint_md5 (fingerprint_md5),
	KEY fingerprint_sha256 (fingerprint_sha256),
	KEY fingerprint_sha512 (fingerprint_sha512),
	KEY created (created),
	KEY modified (modified),
	CONSTRAINT ssh_keys_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_uca1400_as_ci;
