/** What a file picker offers. */
export const SUFFIXES = ".tif,.tiff,.btf,.png,.dm3,.dm4,.mrc,.mrcs,.st,.ali,.npy";
