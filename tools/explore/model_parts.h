/* The parts of which model_take() makes a model. */
#ifndef EXPLORE_MODEL_PARTS_H
#define EXPLORE_MODEL_PARTS_H

#include "model.h"

#define OWNER_UNKNOWN 255 /* the kernel has no table of frames */

/* Read the kernel's table of frames: owners, orders, holders, totals, free
 * blocks; classes as far as the owner tells. Without such a table there are
 * frames of unknown owner. */
void frames_read(struct model *model, struct memory *m);
/* The frame at pa, or NULL: no RAM. */
struct frame_view *frames_at(const struct model *model, uint64_t pa);
/* A table of unknown owner was found. */
void frames_table(struct model *model, uint64_t pa);
/* Pages that processes map: `shared` between them. */
void frames_map(struct model *model, uint64_t pa, uint64_t bytes, bool shared);
/* All is mapped: private frames that several have are copy-on-write. */
void frames_finish(struct model *model);
/* Do several hold it? And what is it then: copy-on-write, but shared if the kernel
 * has no table of frames: nobody knows what it would do at a write. */
bool frame_common(const struct frame_view *f);
enum page_class frame_common_kind(const struct frame_view *f);

/* Read all spaces. Frames have been read; what maps them is noted there. */
void spaces_read(struct model *model, struct memory *m);

/* Is this another boot than the one that was read before? Then nothing is left of
 * what was counted. Before all that is read. */
void events_boot(struct model *model, struct memory *m);
/* Read counters and the trace. */
void events_read(struct model *model, struct memory *m);

#endif
