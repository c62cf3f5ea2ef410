/*
 * A Vulkan layer that gives every device the vendor and device number of SwiftShader, because Chromium takes no
 * other driver without hardware. Built and used by lavapipe.ts alone. Of Vulkan's structures only the beginnings
 * are declared: VkLayerInstanceCreateInfo, VkNegotiateLayerInterface, VkPhysicalDeviceProperties.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef void (*Function)(void);
typedef Function (*Lookup)(void *instance, const char *name);

struct Link {
  struct Link *next;
  Lookup lookup;
};
struct Chained {
  int type;
  struct Chained *next;
  int function;
  struct Link *link;
};
struct Create {
  int type;
  struct Chained *next;
};
struct Negotiation {
  int type;
  void *next;
  uint32_t version;
  Lookup instance, device, physical_device;
};
struct Properties {
  uint32_t api, driver, vendor, device;
};
struct Properties2 {
  int type;
  void *next;
  struct Properties properties;
};

enum { LOADER_INSTANCE_CREATE_INFO = 47, VENDOR = 0x1AE0, DEVICE = 0xC0DE };

typedef void (*GetProperties)(void *device, struct Properties *properties);
typedef void (*GetProperties2)(void *device, struct Properties2 *properties);

/* The browser has two loaders in one process, each with instances of its own. An instance and its devices begin with
   the same pointer. The functions below are asked for while the instance is made; later the loader gives ours. */
static struct Instance {
  void *key;
  Lookup below;
  GetProperties get;
  GetProperties2 get2;
} instances[64];
static int count;

static struct Instance *instance_of(void *handle) {
  for (int i = count - 1; handle && i >= 0; i--)
    if (instances[i].key == *(void **)handle) return &instances[i];
  return NULL;
}

static Function lookup(void *instance, const char *name);

static int create_instance(struct Create *info, void *allocator, void **instance) {
  struct Chained *chained = info->next;
  while (chained && (chained->type != LOADER_INSTANCE_CREATE_INFO || chained->function != 0))
    chained = chained->next;
  if (!chained) return -3;
  Lookup below = chained->link->lookup;
  chained->link = chained->link->next;
  int result = ((int (*)(struct Create *, void *, void **))below(NULL, "vkCreateInstance"))(info, allocator, instance);
  if (result != 0) return result;
  if (count == 64) count = 0;
  struct Instance *made = &instances[count++];
  made->key = *(void **)*instance;
  made->below = below;
  made->get = (GetProperties)below(*instance, "vkGetPhysicalDeviceProperties");
  made->get2 = (GetProperties2)below(*instance, "vkGetPhysicalDeviceProperties2");
  if (!made->get2) made->get2 = (GetProperties2)below(*instance, "vkGetPhysicalDeviceProperties2KHR");
  return result;
}

static void disguise(struct Properties *properties) {
  properties->vendor = VENDOR;
  properties->device = DEVICE;
}

static void get_properties(void *device, struct Properties *properties) {
  instance_of(device)->get(device, properties);
  disguise(properties);
}

static void get_properties2(void *device, struct Properties2 *properties) {
  instance_of(device)->get2(device, properties);
  disguise(&properties->properties);
}

static Function lookup(void *instance, const char *name) {
  if (!strcmp(name, "vkGetInstanceProcAddr")) return (Function)lookup;
  if (!strcmp(name, "vkCreateInstance")) return (Function)create_instance;
  if (!strcmp(name, "vkGetPhysicalDeviceProperties")) return (Function)get_properties;
  if (!strcmp(name, "vkGetPhysicalDeviceProperties2") || !strcmp(name, "vkGetPhysicalDeviceProperties2KHR"))
    return (Function)get_properties2;
  struct Instance *known = instance_of(instance);
  return known ? known->below(instance, name) : NULL;
}

int disguise_negotiate(struct Negotiation *negotiation) {
  negotiation->version = 2;
  negotiation->instance = lookup;
  negotiation->device = NULL;
  negotiation->physical_device = NULL;
  return 0;
}
