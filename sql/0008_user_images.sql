-- Pictures of users, one each, as they are served: without metadata. users.image is the picture's uuid, a
-- random number of which its URL is made, so that a new picture has a new URL.

CREATE TABLE user_images (
	id BIGINT NOT NULL AUTO_INCREMENT,
	user_id BIGINT NOT NULL,
	uuid BINARY(16) NOT NULL,
	content_type VARCHAR(32) COLLATE utf8mb4_nopad_bin NOT NULL,
	bytes MEDIUMBLOB NOT NULL,
	width INT NOT NULL,
	height INT NOT NULL,
	created DATETIME(6) NOT NULL,

	PRIMARY KEY (id),
	UNIQUE KEY user_id (user_id),
	UNIQUE KEY uuid (uuid),
	CONSTRAINT user_images_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_uca1400_as_ci;

ALTER TABLE users ADD COLUMN image BINARY(16) NULL;
