#ifndef LINTEL_CEDITLINE_SHIM_H
#define LINTEL_CEDITLINE_SHIM_H

#include <histedit.h>
#include <stdio.h>

/* el_set and history take variable arguments, which Swift cannot pass: one function for each use instead. */

typedef char *(*lintel_prompt_function)(EditLine *);
typedef unsigned char (*lintel_edit_function)(EditLine *, int);

/* stdin, stdout and stderr are variables, which Swift takes for shared mutable state. */
static inline EditLine *lintel_el_init(const char *program, int shows_on_stdout) {
  return el_init(program, stdin, shows_on_stdout ? stdout : stderr, stderr);
}

static inline int lintel_el_set_prompt(EditLine *editor, lintel_prompt_function function) {
  return el_set(editor, EL_PROMPT, function);
}

static inline int lintel_el_set_editor(EditLine *editor, const char *mode) {
  return el_set(editor, EL_EDITOR, mode);
}

static inline int lintel_el_set_signal(EditLine *editor, int handles) {
  return el_set(editor, EL_SIGNAL, handles);
}

static inline int lintel_el_set_read(EditLine *editor, el_rfunc_t function) {
  return el_set(editor, EL_GETCFN, function);
}

static inline int lintel_el_add_function(
    EditLine *editor, const char *name, const char *help, lintel_edit_function function) {
  return el_set(editor, EL_ADDFN, name, help, function);
}

static inline int lintel_el_bind(EditLine *editor, const char *key, const char *function) {
  return el_set(editor, EL_BIND, key, function, (char *)0);
}

static inline int lintel_el_use_history(EditLine *editor, History *list) {
  return el_set(editor, EL_HIST, history, list);
}

static inline int lintel_history_set_size(History *list, int size) {
  HistEvent event;
  return history(list, &event, H_SETSIZE, size);
}

static inline int lintel_history_set_unique(History *list, int unique) {
  HistEvent event;
  return history(list, &event, H_SETUNIQUE, unique);
}

static inline int lintel_history_enter(History *list, const char *line) {
  HistEvent event;
  return history(list, &event, H_ENTER, line);
}

#endif
