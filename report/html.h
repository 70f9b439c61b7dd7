/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A report as one HTML file that needs nothing else: pictures are inside it.
 *
 * Every text is taken as plain text and escaped.  Errors (memory, files) are
 * kept and reported by html_close().
 */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include <stddef.h>

#include "base/error.h"

struct html;

/* NULL when out of memory. */
struct html *html_open(const char *title, const char *subtitle);
void html_section(struct html *html, const char *heading);
void html_subsection(struct html *html, const char *heading);
void html_paragraph(struct html *html, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A short sentence that stands out: a result, a warning. */
void html_note(struct html *html, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Lines as they are, in a fixed font. */
void html_verbatim(struct html *html, const char *text);

/* Row by row; the first cell of a row is its name, the others are set as numbers. */
void html_table_begin(struct html *html, const char *caption, const char *const *columns,
		      size_t count);
void html_table_row(struct html *html, const char *const *cells, size_t count);
void html_table_end(struct html *html);

/*
 * The picture `svg_path` in the page, with a caption and a link to its data
 * (`csv_link`, relative to the page).  A missing picture leaves caption and link.
 */
void html_figure(struct html *html, const char *svg_path, const char *csv_link,
		 const char *caption);

/* Pages in sections `heading` closed at first. */
void html_details_begin(struct html *html, const char *heading);
void html_details_end(struct html *html);

/* Writes the page atomically to `path` (NULL: gives it up) and frees it. */
int html_close(struct html *html, const char *path, struct error *error);

#endif
