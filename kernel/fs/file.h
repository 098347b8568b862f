/*
 * Open files: what a descriptor stands for. A struct file is shared by all
 * descriptors that dup and fork made of it.
 */
#ifndef FS_FILE_H
#define FS_FILE_H

#include "abi/stat.h"
#include "types.h"

struct audit;
struct file;
struct inode;
struct memobject;
struct space;

/* Open by path with O_* flags. A file, or NULL and *err. */
struct file *file_open(struct inode *cwd, const char *path, int flags,
                       int *err);
/* Two ends of a new pipe, each with one reference. 0, -ENOMEM, -ENFILE. */
int pipe_alloc(struct file **reader, struct file **writer);

struct file *file_dup(struct file *f);
/* Give up a reference. May sleep. */
void file_close(struct file *f);

/* To and from user address va of s, or kernel memory if s is NULL. Bytes
 * moved, or a negative errno; 0 from a read means the end. */
ssize_t file_read(struct file *f, struct space *s, vaddr_t va, size_t n);
ssize_t file_write(struct file *f, struct space *s, vaddr_t va, size_t n);

/* The object to map with PROT_* rights, shared or private; *o gets a reference,
 * *most the rights that the mapping may ever have (mprotect). 0; -ENODEV if it
 * is no regular file; -EACCES if it is not open for reading, or would be
 * written through a shared mapping and is not open for writing. */
int file_object(struct file *f, uint rights, bool shared, struct memobject **o,
                uint *most);

/* Bytes of memory that the file keeps, the caller's share: each end of a pipe
 * keeps a half, and each reference a part of that. */
size_t file_memory(const struct file *f);

/* For the self-check (mm/audit.h), while nothing changes: no reference was found
 * yet; one more was; that was all, so they are what the file counts, or it is
 * told. */
void file_audit_begin(struct file *f);
void file_audit_found(struct file *f);
void file_audit_end(struct file *f, struct audit *a);

int file_stat(struct file *f, struct stat *st);
long file_seek(struct file *f, long off, int whence);
int file_truncate(struct file *f, uint64 size);
/* TTY_* operations; -ENOTTY unless it is a device that has them. */
int file_ctl(struct file *f, int op, int arg);

#endif
