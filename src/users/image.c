#include "base/base.h"

#include "crypto/random.h"
#include "image/image.h"
#include "users/users_int.h"

/* A picture as it is served, and whose it is. */
struct picture {
	struct uuid owner;
	struct text content_type;
	struct bytes bytes;
	struct stamp created;
};

static const struct db_column picture_columns[] = {
	COLUMN(picture, owner),
	COLUMN(picture, content_type),
	COLUMN(picture, bytes),
	COLUMN(picture, created),
};

static const struct db_stmt picture_by_uuid = {
	.name = "picture_by_uuid",
	.sql = "SELECT u.uuid, i.content_type, i.bytes, i.created"
	       " FROM user_images i JOIN users u ON u.id = i.user_id WHERE i.uuid = ?",
	.columns = picture_columns,
	.ncolumns = countof(picture_columns),
};

static const struct db_stmt picture_insert = {
	.name = "picture_insert",
	.access = DB_WRITE,
	.sql =
	    "INSERT INTO user_images (user_id, uuid, content_type, bytes, width, height, created)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?)",
};

static const struct db_stmt picture_delete = {
	.name = "picture_delete",
	.access = DB_WRITE,
	.sql = "DELETE FROM user_images WHERE user_id = ?",
};

/* Makes the picture of a file; NULL when it may not be one, which is noted. */
static struct image *
read_image(struct request *rq, struct text name, struct text file)
{
	struct image *image = arena_alloc(rq->arena, sizeof(*image));
	struct bytes in = { (const uint8_t *)file.s, file.n };

	if ((int64_t)file.n > rq->config->image_limit) {
		problem_printf(rq, name, "Ensure this file has at most %lld bytes (it has %zu).",
		    (long long)rq->config->image_limit, file.n);
		return NULL;
	}
	switch (image_clean(in, rq->config->image_pixels, rq->arena, image)) {
	case IMAGE_GOOD:
		return image;
	case IMAGE_LARGE:
		problem_printf(rq, name,
		    "Ensure this image has at most %lld pixels (it has %lld x %lld).",
		    (long long)rq->config->image_pixels, (long long)image->width,
		    (long long)image->height);
		return NULL;
	case IMAGE_INVALID:
		problem_add(rq, name,
		    T("Upload a valid image. The file you uploaded was either not an image or a "
		      "corrupted image."));
		return NULL;
	}
	unreachable();
}

bool
decode_image(struct request *rq, struct draft *d, const struct field *f, const struct json *json,
    struct value *out)
{
	struct text name = text_from(f->name);
	struct input input = f->input;
	const struct json *file;

	input.kind = f->kind;
	*out = (struct value){ .kind = f->kind, .null = true };
	if (!input_file(rq, &input, name, json, &file))
		return false;
	if (file == NULL)
		return true;
	d->made = read_image(rq, name, file->text);
	*out = V(random_uuid());
	return d->made != NULL;
}

void
image_store(struct request *rq, struct draft *d)
{
	const struct image *image = d->made;

	if (!draft_changes(d, "image"))
		return;
	if (!draft_old(d, "image").null)
		db_exec(rq->db, &picture_delete, V(d->id));
	if (!draft_value(d, "image").null)
		db_exec(rq->db, &picture_insert, V(d->id), draft_value(d, "image"),
		    V(text_from(image->type)), V(image->bytes), V(image->width), V(image->height),
		    V(rq->now));
}

/* A new picture has a new address, so that this one may be kept; and it must never run as a page. */
static void
add_headers(struct request *rq, const struct picture *p)
{
	char owner[UUID_SIZE];

	uuid_print(p->owner, rq->config->uuid_format, owner);
	reply_header(rq, "Content-Disposition",
	    arena_printf(rq->arena, "attachment; filename=\"%s.%s\"", owner,
		image_extension(p->content_type)));
	reply_header(rq, "Content-Security-Policy", T("default-src 'none'"));
	reply_header(rq, "Cache-Control", T("public, max-age=604800, immutable"));
}

/* clang-format off */
const struct action image_serve_action = {
	.outcomes = (const struct outcome[]){
		{ .status = 200, .shape = &shape_file, .type = "image/*" },
		{ .status = 206, .shape = &shape_file, .type = "image/*" },
		{ .status = 206, .shape = &shape_file, .type = "multipart/byteranges" },
		{ .status = 304 },
		{ .status = 412 },
		{ .status = 416 },
		{ 0 },
	},
};
/* clang-format on */

int
image_serve(struct request *rq)
{
	struct served served;
	struct picture p;
	char digits[UUID_SIZE];

	if (!db_row(rq->db, &picture_by_uuid, &p, V(rq->uuid)))
		return reply_not_found(rq);
	served = (struct served){
		.content = p.bytes,
		.type = p.content_type,
		.etag = arena_text(rq->arena, uuid_print(rq->uuid, UUID_HEX, digits)),
		.modified = p.created,
	};
	add_headers(rq, &p);
	return reply_bytes(rq, &served);
}
