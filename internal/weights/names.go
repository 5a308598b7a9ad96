package weights

// rule says how a tensor of the official code is called in the port: # stands
// for a number, * for the last part of a name (weight, bias, …).
type rule struct {
	official, port string
	// split says that the tensor is three equal ones one above the other; "?"
	// of the port's name is q, k and v in turn.
	split bool
	// squeeze drops a last axis of length 1 (the official heads are 1-wide
	// convolutions).
	squeeze bool
}

// rules is the whole table of names: official code at commit 13b7861, port as in
// transformers 4 and 5. Both store linear layers as [out, in].
var rules = []rule{
	{official: "logit_scale", port: "logit_scale"},
	{official: "multi_label_logit_scale", port: "multi_label_logit_scale"},

	{official: "img_encoder.pos_embed", port: "vision_model.embeddings.position_embeddings"},
	{official: "img_encoder.patch_embed.proj.*", port: "vision_model.embeddings.patch_embeddings.projection.*"},
	{official: "img_encoder.patch_embed.norm.*", port: "vision_model.embeddings.layernorm.*"},
	{official: "img_encoder.norm.*", port: "vision_model.layernorm.*"},

	{official: "img_encoder.layers.#.group_token", port: "vision_model.encoder.stages.#.group_token"},
	{official: "img_encoder.layers.#.group_projector.0.*", port: "vision_model.encoder.stages.#.group_projector.0.*"},
	{official: "img_encoder.layers.#.group_projector.1.fc1.*", port: "vision_model.encoder.stages.#.group_projector.1.fc1.*"},
	{official: "img_encoder.layers.#.group_projector.1.fc2.*", port: "vision_model.encoder.stages.#.group_projector.1.fc2.*"},

	{official: "img_encoder.layers.#.blocks.#.norm1.*", port: "vision_model.encoder.stages.#.layers.#.layer_norm1.*"},
	{official: "img_encoder.layers.#.blocks.#.norm2.*", port: "vision_model.encoder.stages.#.layers.#.layer_norm2.*"},
	{official: "img_encoder.layers.#.blocks.#.attn.qkv.*", port: "vision_model.encoder.stages.#.layers.#.self_attn.?_proj.*", split: true},
	{official: "img_encoder.layers.#.blocks.#.attn.proj.*", port: "vision_model.encoder.stages.#.layers.#.self_attn.out_proj.*"},
	{official: "img_encoder.layers.#.blocks.#.mlp.fc1.*", port: "vision_model.encoder.stages.#.layers.#.mlp.fc1.*"},
	{official: "img_encoder.layers.#.blocks.#.mlp.fc2.*", port: "vision_model.encoder.stages.#.layers.#.mlp.fc2.*"},

	{official: "img_encoder.layers.#.downsample.norm_tokens.*", port: "vision_model.encoder.stages.#.downsample.norm_tokens.*"},
	{official: "img_encoder.layers.#.downsample.norm_post_tokens.*", port: "vision_model.encoder.stages.#.downsample.norm_post_tokens.*"},
	{official: "img_encoder.layers.#.downsample.norm_x.*", port: "vision_model.encoder.stages.#.downsample.norm_x.*"},
	{official: "img_encoder.layers.#.downsample.norm_new_x.*", port: "vision_model.encoder.stages.#.downsample.norm_new_x.*"},
	{official: "img_encoder.layers.#.downsample.mlp_inter.fc1.*", port: "vision_model.encoder.stages.#.downsample.mlp_inter.fc1.*"},
	{official: "img_encoder.layers.#.downsample.mlp_inter.fc2.*", port: "vision_model.encoder.stages.#.downsample.mlp_inter.fc2.*"},
	{official: "img_encoder.layers.#.downsample.mlp_channels.fc1.*", port: "vision_model.encoder.stages.#.downsample.mlp_channels.fc1.*"},
	{official: "img_encoder.layers.#.downsample.mlp_channels.fc2.*", port: "vision_model.encoder.stages.#.downsample.mlp_channels.fc2.*"},
	{official: "img_encoder.layers.#.downsample.pre_assign_attn.attn.q_proj.*", port: "vision_model.encoder.stages.#.downsample.pre_assign_attn.attn.q_proj.*"},
	{official: "img_encoder.layers.#.downsample.pre_assign_attn.attn.k_proj.*", port: "vision_model.encoder.stages.#.downsample.pre_assign_attn.attn.k_proj.*"},
	{official: "img_encoder.layers.#.downsample.pre_assign_attn.attn.v_proj.*", port: "vision_model.encoder.stages.#.downsample.pre_assign_attn.attn.v_proj.*"},
	// Here the port renames proj to out_proj, in assign below it does not.
	{official: "img_encoder.layers.#.downsample.pre_assign_attn.attn.proj.*", port: "vision_model.encoder.stages.#.downsample.pre_assign_attn.attn.out_proj.*"},
	{official: "img_encoder.layers.#.downsample.pre_assign_attn.norm2.*", port: "vision_model.encoder.stages.#.downsample.pre_assign_attn.norm2.*"},
	{official: "img_encoder.layers.#.downsample.pre_assign_attn.norm_post.*", port: "vision_model.encoder.stages.#.downsample.pre_assign_attn.norm_post.*"},
	{official: "img_encoder.layers.#.downsample.pre_assign_attn.mlp.fc1.*", port: "vision_model.encoder.stages.#.downsample.pre_assign_attn.mlp.fc1.*"},
	{official: "img_encoder.layers.#.downsample.pre_assign_attn.mlp.fc2.*", port: "vision_model.encoder.stages.#.downsample.pre_assign_attn.mlp.fc2.*"},
	{official: "img_encoder.layers.#.downsample.assign.q_proj.*", port: "vision_model.encoder.stages.#.downsample.assign.q_proj.*"},
	{official: "img_encoder.layers.#.downsample.assign.k_proj.*", port: "vision_model.encoder.stages.#.downsample.assign.k_proj.*"},
	{official: "img_encoder.layers.#.downsample.assign.v_proj.*", port: "vision_model.encoder.stages.#.downsample.assign.v_proj.*"},
	{official: "img_encoder.layers.#.downsample.assign.proj.*", port: "vision_model.encoder.stages.#.downsample.assign.proj.*"},

	{official: "text_encoder.token_embedding.weight", port: "text_model.embeddings.token_embedding.weight"},
	{official: "text_encoder.positional_embedding", port: "text_model.embeddings.position_embedding.weight"},
	{official: "text_encoder.transformer.resblocks.#.attn.in_proj_weight", port: "text_model.encoder.layers.#.self_attn.?_proj.weight", split: true},
	{official: "text_encoder.transformer.resblocks.#.attn.in_proj_bias", port: "text_model.encoder.layers.#.self_attn.?_proj.bias", split: true},
	{official: "text_encoder.transformer.resblocks.#.attn.out_proj.*", port: "text_model.encoder.layers.#.self_attn.out_proj.*"},
	{official: "text_encoder.transformer.resblocks.#.ln_1.*", port: "text_model.encoder.layers.#.layer_norm1.*"},
	{official: "text_encoder.transformer.resblocks.#.ln_2.*", port: "text_model.encoder.layers.#.layer_norm2.*"},
	{official: "text_encoder.transformer.resblocks.#.mlp.c_fc.*", port: "text_model.encoder.layers.#.mlp.fc1.*"},
	{official: "text_encoder.transformer.resblocks.#.mlp.c_proj.*", port: "text_model.encoder.layers.#.mlp.fc2.*"},
	{official: "text_encoder.ln_final.*", port: "text_model.final_layer_norm.*"},

	{official: "img_projector.linear_hidden.0.*", port: "visual_projection.0.*", squeeze: true},
	{official: "img_projector.linear_hidden.1.*", port: "visual_projection.1.*"},
	{official: "img_projector.linear_out.*", port: "visual_projection.3.*", squeeze: true},
	{official: "text_projector.linear_hidden.0.*", port: "text_projection.0.*", squeeze: true},
	{official: "text_projector.linear_hidden.1.*", port: "text_projection.1.*"},
	{official: "text_projector.linear_out.*", port: "text_projection.3.*", squeeze: true},
}

// ignored are the ends of names of tensors that carry nothing: BatchNorm's
// counters and the constant 0, 1, 2, … of old versions of the port.
var ignored = []string{".num_batches_tracked", ".position_ids"}

// wrappers are prefixes that saving from a wrapper puts before every name.
var wrappers = []string{"module.", "model."}

// clipNames are names (ends or starts) that only CLIP models have.
var clipNames = []string{"vision_model.embeddings.class_embedding", "visual.class_embedding", "visual.conv1.weight", "vision_model.pre_layrnorm.weight"}
